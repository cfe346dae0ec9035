job "a" {
  b = {
    1a = 1
  }
}
