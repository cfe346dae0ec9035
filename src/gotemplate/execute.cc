// Tree to text.
#include <fmt/format.h>

#include "base/strings.h"
#include "gotemplate/ast.h"

namespace drover::gotemplate {

class Executor {
 public:
  Executor(const Template::Parts& parts, bool missing_key_error) : parts_(parts), missing_key_error_(missing_key_error) {}

  Result<std::string> run(const Datum& data) {
    variables_.push_back({"$", data});
    auto flow = walk(parts_.defined.at(parts_.name), data, 0);
    if (!flow) return Error(std::move(flow).error());
    return std::move(out_);
  }

 private:
  enum class Flow : unsigned char { kNext, kBreak, kContinue };
  struct Variable {
    std::string name;
    Datum value;
  };

  Error fail(const Node& n, const std::string& message) const {
    return invalid(fmt::format("template: {}:{}:{}: executing {} at <{}>: {}", parts_.name, n.line, n.column,
                               go_quote(parts_.name), source_of(n), message));
  }

  Result<Flow> walk(const std::vector<Tree>& list, const Datum& dot, int depth) {
    for (auto& n : list) {
      DROVER_TRY(auto flow, walk(*n, dot, depth));
      if (flow != Flow::kNext) return flow;
    }
    return Flow::kNext;
  }

  Result<Flow> walk(const Node& n, const Datum& dot, int depth) {
    if (depth > Template::kDepthMax) return fail(n, fmt::format("exceeded maximum template depth ({})", Template::kDepthMax));
    if (out_.size() > Template::kOutputMax) return fail(n, "the output is too large");
    switch (n.kind) {
      case Node::Kind::kText: out_ += n.text; return Flow::kNext;
      case Node::Kind::kAction: {
        DROVER_TRY(auto v, pipe(*n.pipe, dot, depth));
        if (n.pipe->variables.empty()) out_ += v.missing() ? "<no value>" : print(v);
        return Flow::kNext;
      }
      case Node::Kind::kIf:
      case Node::Kind::kWith: {
        size_t scope = variables_.size();
        DROVER_TRY(auto v, pipe(*n.pipe, dot, depth));
        bool with = n.kind == Node::Kind::kWith;
        auto flow = v.truth() ? walk(n.list, with ? v : dot, depth + 1) : walk(n.else_list, dot, depth + 1);
        variables_.resize(scope);
        return flow;
      }
      case Node::Kind::kRange: return range(n, dot, depth);
      case Node::Kind::kTemplate: return call_template(n, dot, depth);
      case Node::Kind::kBreak: return Flow::kBreak;
      case Node::Kind::kContinue: return Flow::kContinue;
      default: return fail(n, "unexpected node");
    }
  }

  Result<Flow> range(const Node& n, const Datum& dot, int depth) {
    size_t scope = variables_.size();
    DROVER_TRY(auto value, evaluate(*n.pipe, dot, depth));
    auto over = value.settled();
    if (!over.missing() && !over.is_list() && !over.is_map() && !over.as_int())
      return fail(*n.pipe, fmt::format("range can't iterate over {}", print(over)));
    size_t count = over.missing() ? 0 : over.as_int() ? static_cast<size_t>(std::max<int64_t>(0, *over.as_int())) : over.size();
    Flow flow = Flow::kNext;
    if (!count) {
      DROVER_TRY(flow, walk(n.else_list, dot, depth + 1));
    }
    for (size_t i = 0; i < count && flow != Flow::kBreak; ++i) {
      auto element = over.as_int() ? Datum::number(static_cast<int64_t>(i)) : over.element(i);
      auto key = over.is_map() ? Datum::text(over.key(i)) : Datum::number(static_cast<int64_t>(i));
      auto& names = n.pipe->variables;
      if (names.size() == 1) bind(n.pipe->assign, names[0], element);
      if (names.size() == 2) {
        bind(n.pipe->assign, names[0], key);
        bind(n.pipe->assign, names[1], element);
      }
      DROVER_TRY(flow, walk(n.list, element, depth + 1));
      variables_.resize(scope);
    }
    variables_.resize(scope);
    return Flow::kNext;
  }

  Result<Flow> call_template(const Node& n, const Datum& dot, int depth) {
    auto it = parts_.defined.find(n.text);
    if (it == parts_.defined.end()) return fail(n, fmt::format("template {} not defined", go_quote(n.text)));
    Datum data;
    if (n.pipe) {
      DROVER_TRY(data, pipe(*n.pipe, dot, depth));
    }
    std::vector<Variable> outer{{"$", data}};
    outer.swap(variables_);
    auto flow = walk(it->second, data, depth + 1);
    outer.swap(variables_);
    return flow;
  }

  void bind(bool assign, const std::string& name, const Datum& value) {
    if (assign)
      for (auto it = variables_.rbegin(); it != variables_.rend(); ++it)
        if (it->name == name) {
          it->value = value;
          return;
        }
    variables_.push_back({name, value});
  }

  // The pipe's value; its variables are bound.
  Result<Datum> pipe(const Node& n, const Datum& dot, int depth) {
    DROVER_TRY(auto v, evaluate(n, dot, depth));
    for (auto& name : n.variables) bind(n.assign, name, v);
    return v;
  }

  Result<Datum> evaluate(const Node& n, const Datum& dot, int depth) {
    if (depth > Template::kDepthMax) return fail(n, "nested too deep");
    Datum value;
    bool first = true;
    for (auto& c : n.children) {
      DROVER_TRY(value, command(*c, dot, first ? nullptr : &value, depth + 1));
      first = false;
    }
    return value;
  }

  Result<Datum> command(const Node& n, const Datum& dot, const Datum* piped, int depth) {
    auto& head = *n.children[0];
    if (head.kind == Node::Kind::kFunction) return call(head, n, dot, piped, depth);
    if (n.children.size() > 1 || piped) {
      if (head.kind == Node::Kind::kConstant || head.kind == Node::Kind::kDot || head.kind == Node::Kind::kNil)
        return fail(head, fmt::format("can't give argument to non-function {}", source_of(head)));
      auto& name = head.path.empty() ? head.text : head.path.back();
      return fail(head, fmt::format("{} has arguments but cannot be invoked as function", name));
    }
    return operand(head, dot, depth);
  }

  Result<Datum> operand(const Node& n, const Datum& dot, int depth) {
    switch (n.kind) {
      case Node::Kind::kDot: return dot;
      case Node::Kind::kNil: return fail(n, "nil is not a command");
      case Node::Kind::kConstant: return n.value;
      case Node::Kind::kField: return fields(n, dot, 0);
      case Node::Kind::kVariable:
        for (auto it = variables_.rbegin(); it != variables_.rend(); ++it)
          if (it->name == n.path[0]) return fields(n, it->value, 1);
        return fail(n, "undefined variable");
      case Node::Kind::kChain: {
        DROVER_TRY(auto v, operand(*n.children[0], dot, depth));
        return fields(n, v, 0);
      }
      case Node::Kind::kPipe: return pipe(n, dot, depth);
      case Node::Kind::kFunction: {
        Node alone;
        return call(n, alone, dot, nullptr, depth);
      }
      default: return fail(n, "unexpected operand");
    }
  }

  Result<Datum> fields(const Node& n, Datum value, size_t from) {
    for (size_t i = from; i < n.path.size(); ++i) {
      auto& name = n.path[i];
      bool pointer = !value.missing() && value.type().kind == Kind::kPointer;
      auto base = value.settled();
      if (base.missing()) {
        if (pointer) return fail(n, fmt::format("nil pointer evaluating {}.{}", "*" + go_type_of(value.type()), name));
        if (value.missing() && i == from) return fail(n, fmt::format("nil data; no entry for key {}", go_quote(name)));
        return fail(n, fmt::format("nil pointer evaluating interface {{}}.{}", name));
      }
      auto field = base.field(name);
      if (!field)
        return fail(n, fmt::format("can't evaluate field {} in type {}", name, (base.is_struct() && pointer ? "*" : "") + go_type_of(base.type())));
      if (field->missing() && missing_key_error_) return fail(n, fmt::format("map has no entry for key {}", go_quote(name)));
      value = *field;
    }
    return value;
  }

  Result<Datum> call(const Node& head, const Node& n, const Datum& dot, const Datum* piped, int depth) {
    auto& function = parts_.functions.find(head.text)->second;
    bool decides_and = head.text == "and", decides_or = head.text == "or";
    std::vector<Datum> args;
    for (size_t i = 1; i < n.children.size(); ++i) {
      auto& c = *n.children[i];
      Datum v;
      if (c.kind != Node::Kind::kNil) {
        DROVER_TRY(v, operand(c, dot, depth + 1));
      }
      args.push_back(v);
      if ((decides_and && !v.truth()) || (decides_or && v.truth())) return v;
    }
    if (piped) args.push_back(*piped);
    auto result = function(args);
    if (!result) return fail(head, fmt::format("error calling {}: {}", head.text, result.error().message));
    return result;
  }

  const Template::Parts& parts_;
  bool missing_key_error_;
  std::string out_;
  std::vector<Variable> variables_;
};

Result<std::string> Template::execute(const Datum& data, bool missing_key_error) const {
  return Executor(*parts_, missing_key_error).run(data);
}

}  // namespace drover::gotemplate
