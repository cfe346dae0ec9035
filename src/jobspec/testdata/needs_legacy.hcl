job "old" {
  update = { max_parallel = 1 }
}
