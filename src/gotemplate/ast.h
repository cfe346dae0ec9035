// The tree of a template.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gotemplate/template.h"

namespace drover::gotemplate {

using Tree = std::shared_ptr<Node>;

struct Node {
  enum class Kind : unsigned char {
    kText,      // text
    kAction,    // pipe
    kIf,        // pipe, list, else_list
    kRange,     // "
    kWith,      // "
    kTemplate,  // text = name, pipe (may be null)
    kBreak,
    kContinue,
    kPipe,      // declared variables, children = commands
    kCommand,   // children = operands
    kField,     // path, on the dot
    kVariable,  // path[0] = "$x", then fields
    kChain,     // children[0], then path
    kFunction,  // text
    kDot,
    kNil,
    kConstant,  // value; text = its source
  };
  Kind kind = Kind::kText;
  int line = 1;
  std::string text;
  std::vector<std::string> path;
  std::vector<Tree> children;
  Tree pipe;
  std::vector<Tree> list, else_list;
  std::vector<std::string> variables;  // of a pipe: {{$i, $e := ...}}
  bool assign = false;                 // "=" rather than ":="
  Datum value;
  size_t column = 0;                   // bytes from the start of the line, for messages
};

struct Template::Parts {
  std::string name;
  std::map<std::string, std::vector<Tree>, std::less<>> defined;  // the main one under its own name
  Functions functions;
};

// How a node reads in error messages.
std::string source_of(const Node& n);

}  // namespace drover::gotemplate
