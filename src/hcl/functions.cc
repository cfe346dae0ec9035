#include "hcl/functions.h"

#include <algorithm>

#include "hcl/function_impl.h"

namespace drover::hcl {

const std::vector<Function>& function_table() {
  static const FunctionList table = [] {
    FunctionList out;
    add_numeric_functions(out);
    add_string_functions(out);
    add_collection_functions(out);
    add_encoding_functions(out);
    add_crypto_functions(out);
    add_time_functions(out);
    add_network_functions(out);
    add_file_functions(out);
    Type any;
    out.push_back({"try", {}, Parameter{"expressions", any, true}, nullptr, Special::kTry});
    out.push_back({"can", {{"expression", any, true}}, {}, nullptr, Special::kCan});
    out.push_back({"convert", {{"value", any, true}, {"type", any, true}}, {}, nullptr, Special::kConvert});
    std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.name < b.name; });
    return out;
  }();
  return table;
}

const Function* Functions::find(std::string_view name) const {
  auto& table = function_table();
  auto it = std::lower_bound(table.begin(), table.end(), name, [](auto& f, std::string_view n) { return f.name < n; });
  return it != table.end() && it->name == name ? &*it : nullptr;
}

}  // namespace drover::hcl
