job "a {
  name = "x"
}
