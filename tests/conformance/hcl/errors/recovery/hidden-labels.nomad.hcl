job "a" {
  vault "b" {}
  task {}
  group "g" {
    vault "c" {}
    count = "x"
  }
  group "h" {
    task "t" {
      scaling {}
      saling "cpu" {}
      dynamik "x" {}
    }
  }
}
