locals {
  a {}
  b {}
  c = var.none
}
job "a" {}
