job "diff-templates-replaced" {

  group "g" {
    count = 0

    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["600"]
      }
      template {
        data          = "x"
        destination   = "local/b"
        change_mode   = "restart"
      }
      template {
        data          = "y"
        destination   = "local/a"
        change_mode   = "noop"
      }
    }
  }
}
