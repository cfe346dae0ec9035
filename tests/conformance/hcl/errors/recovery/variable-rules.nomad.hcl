variable "a" {
  default = [1]
  validation {
    error_message = ""
  }
  validation {
    condition = "${var.a}x"
    error_message = "日本."
  }
}
job "a" {}
