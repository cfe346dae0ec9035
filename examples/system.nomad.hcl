# One allocation on every node that fits, and on every node that joins later.
#
#   drover job run examples/system.nomad.hcl
#   drover alloc logs -job load-watch
job "load-watch" {
  datacenters = ["*"]
  type        = "system"
  priority    = 80

  # Nodes without this kernel get none.
  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  group "watch" {
    task "loadavg" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "while :; do echo \"$NODE: $(cat /proc/loadavg)\"; sleep 10; done"]
      }

      env {
        NODE = "${node.unique.name}"
      }

      # Old output goes away: two files of 1 MiB for each stream.
      logs {
        max_files     = 2
        max_file_size = 1
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
