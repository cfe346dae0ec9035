job "a" {
  meta {
    b = { c = 1 }
    d {
      e = var.x
    }
    d {}
    f "g" {}
  }
}
