#include "cli/job_examples.h"

namespace drover::cli {

const std::string_view kShortJob = R"hcl(job "example" {
  group "cache" {
    network {
      port "db" {
        to = 6379
      }
    }

    task "redis" {
      driver = "docker"

      config {
        image          = "redis:7"
        ports          = ["db"]
        auth_soft_fail = true
      }

      identity {
        env  = true
        file = true
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
)hcl";

const std::string_view kExampleJob = R"hcl(# A job is what is submitted, planned and stopped as one thing.
job "example" {
  # Where the job may run; "*" is everywhere in the region.
  datacenters = ["*"]

  # "service" for what shall run for ever, "batch" for what ends, "system" and "sysbatch" for one on each node.
  type = "service"

  # How a new version takes over from the old one.
  update {
    # So many allocations are replaced at a time.
    max_parallel = 1

    # An allocation has to be healthy for this long before it counts.
    min_healthy_time = "10s"

    # It is given up when it is not healthy by then.
    healthy_deadline = "3m"

    # The deployment fails when no further allocation gets healthy in this time.
    progress_deadline = "10m"

    # Whether to go back to the last stable version when the deployment fails.
    auto_revert = false

    # How many allocations of the new version to try beside the old ones before anything is replaced.
    canary = 0
  }

  # How allocations leave a node that is drained.
  migrate {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "10s"
    healthy_deadline = "5m"
  }

  # The tasks of a group run together on one node.
  group "cache" {
    # How many of the group there shall be.
    count = 1

    # A port of the node, chosen by the scheduler, that leads to 6379 in the task.
    network {
      port "db" {
        to = 6379
      }
    }

    # How others find it. Tags and checks can be added here.
    service {
      name     = "redis-cache"
      tags     = ["global", "cache"]
      port     = "db"
      provider = "nomad"
    }

    # What to do when a task fails: so often within the interval it is started again on the spot.
    restart {
      attempts = 2
      interval = "30m"
      delay    = "15s"
      mode     = "fail"
    }

    # Room on disk that the tasks share, in MB.
    ephemeral_disk {
      size = 300
    }

    # A task is one program.
    task "redis" {
      # Who runs it: docker, exec, raw_exec, java, qemu or a plugin.
      driver = "docker"

      # What the driver needs to know.
      config {
        image          = "redis:7"
        ports          = ["db"]
        auth_soft_fail = true
      }

      # Gives the task a token of its own for the API, in NOMAD_TOKEN and in a file.
      identity {
        env  = true
        file = true
      }

      # What it may use: MHz and MB.
      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
)hcl";

const std::string_view kConnectJob = R"hcl(# Two services in a mesh: the dashboard reaches the counter through its sidecar.
job "countdash" {
  datacenters = ["*"]

  group "api" {
    # Each group has a network of its own; sidecars connect them.
    network {
      mode = "bridge"
    }

    service {
      name = "count-api"
      port = "9001"

      connect {
        sidecar_service {}
      }
    }

    task "web" {
      driver = "docker"

      config {
        image          = "hashicorpdev/counter-api:v3"
        auth_soft_fail = true
      }
    }
  }

  group "dashboard" {
    network {
      mode = "bridge"

      port "http" {
        static = 9002
        to     = 9002
      }
    }

    service {
      name = "count-dashboard"
      port = "9002"

      connect {
        sidecar_service {
          proxy {
            # count-api answers at localhost:8080.
            upstreams {
              destination_name = "count-api"
              local_bind_port  = 8080
            }
          }
        }
      }
    }

    task "dashboard" {
      driver = "docker"

      env {
        COUNTING_SERVICE_URL = "http://${NOMAD_UPSTREAM_ADDR_count_api}"
      }

      config {
        image          = "hashicorpdev/counter-dashboard:v3"
        auth_soft_fail = true
      }
    }
  }
}
)hcl";

}  // namespace drover::cli
