job "diff-set-order" {
  datacenters = ["dc1", "aa"]
  group "g" {
    count = 0
    service {
      name     = "a"
      provider = "nomad"
      tags     = ["z", "b"]
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
