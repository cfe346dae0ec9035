# Work that ends: four allocations, each adds numbers and is complete when its command exits with 0.
#
#   drover job run examples/batch.nomad.hcl
#   drover job status sums            # 4 complete
#   drover alloc logs -job sums
job "sums" {
  datacenters = ["*"]
  type        = "batch"

  group "part" {
    count = 4

    # A command that fails is tried again twice on the same node ...
    restart {
      attempts = 2
      interval = "5m"
      delay    = "2s"
      mode     = "fail"
    }

    # ... and then once elsewhere.
    reschedule {
      attempts  = 1
      interval  = "1h"
      delay     = "5s"
      unlimited = false
    }

    task "sum" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args = ["-c", <<-EOT
          i=0; sum=0; first=$((NOMAD_ALLOC_INDEX * 1000))
          while [ $i -lt 1000 ]; do sum=$((sum + first + i)); i=$((i + 1)); done
          echo "part $NOMAD_ALLOC_INDEX: $sum"
        EOT
        ]
      }

      resources {
        cpu    = 20
        memory = 16
      }
    }
  }
}
