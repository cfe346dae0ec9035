job "a" {
  b = 1
  c = )
  b = 2
  d {
    e = 1
    e = 2
  }
}
