job "a" {
  b = min([1]..., 2)
}
