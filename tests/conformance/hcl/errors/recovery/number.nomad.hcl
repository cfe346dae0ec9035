job "a" {
  priority = 1.2.3
  meta {
    b = 1..2
    c = 1e2e3
  }
}
