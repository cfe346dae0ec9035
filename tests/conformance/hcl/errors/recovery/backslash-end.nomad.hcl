job "a" {
  b = "x\
}
