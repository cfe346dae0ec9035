job "café" {
  group "café" {
    task "t" {
      driver = "x"
      config {
        block "" {
          a = 1
        }
      }
    }
  }
}
