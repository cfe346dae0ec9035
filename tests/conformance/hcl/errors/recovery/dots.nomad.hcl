job "a" {
  b = c..d
  e = f.[0]
}
