variable "replicas" {
  type    = number
  default = 2
}
variable "names" {
  type    = set(string)
  default = ["b", "a"]
}
locals {
  tag = "v${var.replicas}"
}
job "everything" {
  type        = "service"
  datacenters = ["dc1"]
  meta        = { "a.b" = 5 }
  constraint {
    attribute = "${attr.kernel.name}"
    regexp    = "linux|darwin"
  }
  constraint { distinct_hosts = false }
  affinity {
    attribute = "${node.class}"
    value     = "x"
    weight    = 200
  }
  spread {
    attribute = "${node.datacenter}"
    target "dc1" { percent = 70.9 }
  }
  update {
    canary           = 1
    min_healthy_time = "90s"
  }
  vault { policies = ["p"] }
  task "alone" { driver = "raw_exec" }
  group "g" {
    count = var.replicas
    vault {
      policies = ["q"]
      unknown  = 1
    }
    network {
      mode = "bridge"
      dynamic "port" {
        for_each = var.names
        labels   = [port.value]
        content { to = 80 }
      }
      port "fixed" { static = 9000 }
    }
    scaling { max = 5 }
    volume "v" {
      type   = "host"
      source = "s"
    }
    service {
      name = "web-${local.tag}"
      port = "a"
      meta { k = "v" }
      check {
        type     = "http"
        path     = "/"
        interval = "10s"
        timeout  = 2000000000
        header { A = ["b", 1] }
      }
      connect {
        sidecar_service {
          proxy {
            upstreams {
              destination_name = "db"
              local_bind_port  = 5432
            }
            config { protocol = "http" }
          }
        }
      }
    }
    task "t" {
      driver       = "docker"
      kill_timeout = 5
      leader       = "1"
      env { A = true }
      config {
        image  = "x:${local.tag}"
        gone   = null
        labels = { a = { b = 1 } }
        mount {
          type = "bind"
        }
        mount { n = [1, null, { z = 1 }] }
        logging "json" { max = 1.5 }
        args = ["${NOMAD_PORT_a}", node.class, "$${literal}"]
      }
      scaling "MEM" {}
      template {
        data        = <<-EOT
          line
            indented
        EOT
        destination = "local/x"
        change_script { command = "/bin/x" }
      }
      resources {
        cores = 2
        device "nvidia/gpu" { count = 2 }
      }
    }
  }
}
