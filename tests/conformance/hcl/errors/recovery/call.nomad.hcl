job "a" {
  b = min(1 2, 3)
  c = min(1; 2)
}
