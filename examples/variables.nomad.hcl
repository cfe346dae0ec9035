# One file for several environments: variables, locals, functions and generated blocks.
#
#   drover job run examples/variables.nomad.hcl
#   drover job run -var environment=live -var count=3 examples/variables.nomad.hcl
#   NOMAD_VAR_words='["x","y"]' drover job run examples/variables.nomad.hcl
#   drover job run -output examples/variables.nomad.hcl      # the job as the API takes it, nothing is run
variable "environment" {
  type        = string
  default     = "test"
  description = "Part of the job's name; decides the priority."

  validation {
    condition     = contains(["test", "live"], var.environment)
    error_message = "The environment must be test or live."
  }
}

variable "count" {
  type    = number
  default = 1
}

# One task each.
variable "words" {
  type    = list(string)
  default = ["alpha", "beta"]
}

locals {
  live = var.environment == "live"
  name = "words-${var.environment}"
}

job "words" {
  id          = local.name
  name        = local.name
  datacenters = ["*"]
  type        = "service"
  priority    = local.live ? 70 : 40

  meta {
    environment = upper(var.environment)
    words       = join(",", var.words)
  }

  group "words" {
    count = var.count

    dynamic "task" {
      for_each = var.words
      labels   = [task.value]

      content {
        driver = "raw_exec"

        config {
          command = "/bin/sh"
          # ${...} is filled in when the file is read; $${...} is left to the task's shell.
          args = ["-c", "while :; do echo \"${task.key + 1}: ${title(task.value)} in $${NOMAD_META_environment}\"; sleep 5; done"]
        }

        resources {
          cpu    = 20
          memory = 16
        }
      }
    }
  }
}
