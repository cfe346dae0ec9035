// MsgpackMemo: the encoded bytes of values that many messages share (the job of a node's allocations), so that each is walked
// once and copied from then on. For messages that leave defaults out. Belongs to one thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "codec/type_info.h"

namespace drover {

class MsgpackMemo {
 public:
  // Bounds of what is kept, and with it kept alive; beyond them all is forgotten. One value may be larger.
  static constexpr size_t kValuesMax = 256, kBytesMax = 4u << 20;

  // Of the values behind Ref<T>, which do not change: MsgpackMemo memo(std::type_identity<Job>());
  template <class T>
  explicit MsgpackMemo(std::type_identity<T>)
      : pointer_(type_of<Ref<T>>()), hold_([](const void* p) -> std::shared_ptr<const void> { return *static_cast<const Ref<T>*>(p); }) {}

  // The type Ref<T>.
  const TypeInfo& pointer() const { return pointer_; }
  // The bytes of what `ref`, not null, points to. Valid until the next call.
  std::string_view bytes(const void* ref);
  size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::shared_ptr<const void> value;  // while it is here nothing else has its address
    std::string bytes;
  };
  const TypeInfo& pointer_;
  std::shared_ptr<const void> (*hold_)(const void* ref);
  std::unordered_map<const void*, Known> known_;
  size_t bytes_ = 0;
};

// Appends `object` without its defaults; what `memo` knows is copied.
void msgpack_encode(const TypeInfo& type, const void* object, std::string& out, MsgpackMemo& memo);

}  // namespace drover
