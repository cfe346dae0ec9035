job "x" {
  meta {
    k = <<-A
      a ${f()}
      A
  }
}
