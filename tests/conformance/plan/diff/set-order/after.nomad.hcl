job "diff-set-order" {
  datacenters = ["dc1", "zz"]
  group "g" {
    count = 0
    service {
      name     = "a"
      provider = "nomad"
      tags     = ["b", "a", "n"]
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
