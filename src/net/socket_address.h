// Between Address and the kernel's sockaddr. Private to net.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <vector>

#include "net/address.h"

namespace drover::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  Address address() const;
};

// An IP literal ("" is the wildcard, on both families) or a path; not a name.
Result<SocketAddress> to_socket_address(const Address& address);

// All addresses of a name or literal, in the order of preference. Blocks on DNS. `lookup x: no such host`.
Result<std::vector<SocketAddress>> resolve_blocking(const Address& address);

// Local and remote end of a socket; empty Address where there is none.
Address local_address(int fd);
Address remote_address(int fd);

}  // namespace drover::net
