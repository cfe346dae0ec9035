# A service that prints a line every second, with nothing to install. `./dev run` submits it.
#
#   drover job run examples/hello.nomad.hcl
#   drover job status hello
#   drover alloc logs -f -job hello
#   drover job stop hello
job "hello" {
  datacenters = ["*"]
  type        = "service"

  group "hello" {
    count = 1

    # What the node does when the task ends by itself: three times within half an hour it is started again, a
    # second later each time; after that the servers are asked for another place.
    restart {
      attempts = 3
      interval = "30m"
      delay    = "1s"
      mode     = "fail"
    }

    # How a new version comes in: an allocation counts as healthy after it has run for a second.
    update {
      min_healthy_time = "1s"
      healthy_deadline = "1m"
    }

    task "loop" {
      # raw_exec runs the command as it is, without isolation. It is on in `agent -dev`; elsewhere it is turned on with
      #   plugin "raw_exec" { config { enabled = true } }
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "n=0; while :; do n=$((n+1)); echo \"$GREETING from $NOMAD_TASK_NAME, line $n\"; sleep 1; done"]
      }

      env {
        GREETING = "hello"
      }

      # On `job stop` the task gets SIGINT, and SIGKILL when it is still there after this.
      kill_timeout = "5s"

      resources {
        cpu    = 50 # MHz
        memory = 32 # MiB
      }
    }
  }
}
