job "bad" {
  group "g" {
    task "t" {
      config {
        mount { a = var.none }
      }
    }
  }
}
