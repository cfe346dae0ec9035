job a // b {
  c = 1
}
