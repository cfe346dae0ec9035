job "a" {
  b = "x$