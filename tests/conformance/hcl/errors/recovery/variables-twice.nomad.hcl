variable "a" {}
variables {
  a = 1
  b = x.y
}
variables {
  b = 1
}
job "a" {}
