#include "jobspec/type_dump.h"

#include <fmt/format.h>

namespace drover::jobspec {

std::string dump_type(const hcl::Type& type) {
  switch (type.kind()) {
    case hcl::Kind::kDynamic: return "{{{}}}";
    case hcl::Kind::kBool: return "{{{} %!s(cty.primitiveTypeKind=66)}}";
    case hcl::Kind::kNumber: return "{{{} %!s(cty.primitiveTypeKind=78)}}";
    case hcl::Kind::kString: return "{{{} %!s(cty.primitiveTypeKind=83)}}";
    case hcl::Kind::kList:
    case hcl::Kind::kSet:
    case hcl::Kind::kMap: return fmt::format("{{{{{{}} {}}}}}", dump_type(type.element()));
    case hcl::Kind::kTuple: {
      std::string inner;
      for (auto& element : type.elements()) inner += (inner.empty() ? "" : " ") + dump_type(element);
      return fmt::format("{{{{{{}} [{}]}}}}", inner);
    }
    case hcl::Kind::kObject: {
      std::string inner;
      for (auto& [name, element] : type.attributes())
        inner += fmt::format("{}{}:{}", inner.empty() ? "" : " ", name, dump_type(element));
      return fmt::format("{{{{{{}} map[{}] map[]}}}}", inner);
    }
  }
  return "";
}

}  // namespace drover::jobspec
