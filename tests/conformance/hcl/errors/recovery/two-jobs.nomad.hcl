job "a" {
  prority = 1
}
job "b" {
  x = 1
}
