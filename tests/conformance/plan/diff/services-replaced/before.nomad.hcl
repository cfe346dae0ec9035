job "diff-services-replaced" {

  group "g" {
    count = 0
    service {
      name     = "one"
      port     = "1"
      provider = "nomad"
      tags     = ["t"]
    }
    service {
      name     = "two"
      port     = "2"
      provider = "nomad"
      tags     = ["t"]
    }
    task "t" {
      driver = "raw_exec"
      config {
        command = "/bin/sleep"
        args    = ["600"]
      }

    }
  }
}
