job "a" {
  b = "x


  c = 1
}
