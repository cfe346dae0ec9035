job "a" {
  dynamic "constraint" {
    for_each = "x"
    iterator = "it"
  }
  dynamic "group" {
    for_each = nope()
    labels = ["a", "b"]
    content {}
  }
  dynamic "taks" {
    for_each = []
    content {}
  }
}
