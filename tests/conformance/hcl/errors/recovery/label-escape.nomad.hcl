job "a\q" {
  x
}
