job 'a' {
  b = 'c'
  d = 'e'
}
