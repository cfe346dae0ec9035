job "a" = {
  b
}
