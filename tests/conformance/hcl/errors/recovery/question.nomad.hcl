job "a" {
  b = 1 ?
  c = 2 ? 3
  d = true ? 1 2
}
