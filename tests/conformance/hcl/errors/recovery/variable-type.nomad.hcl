variable "a" {
  type = true
  default = [
    x.y
  ]
}
variable "b" {
  type = object({ x = strin, y = 1, (z) = string })
}
variable "c" {
  type = tuple([strin, 1])
}
job "a" {}
