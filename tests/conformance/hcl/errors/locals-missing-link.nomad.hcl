locals {
  e = "${local.d}e"
  d = "${local.c}d"
  b = "${local.a}b"
  a = "a"
}
job "chain" {
  meta {
    e = local.e
  }
}
