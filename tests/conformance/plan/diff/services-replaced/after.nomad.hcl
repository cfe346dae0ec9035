job "diff-services-replaced" {

  group "g" {
    count = 0

    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["600"]
      }

    }
  }
}
