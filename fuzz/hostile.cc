#include "fuzz/hostile.h"

#include <string_view>

namespace drover::fuzz {
namespace {

// Without optimization a twentieth will do: a frame is several times as large there, so that unbounded recursion ends the
// stack at a smaller depth, and all targets would take minutes over the rest.
#ifdef __OPTIMIZE__
constexpr size_t kShare = 1;
#else
constexpr size_t kShare = 20;
#endif
constexpr size_t kDepth = 100'000 / kShare;
constexpr size_t kLong = (1u << 20) / kShare;

std::string times(size_t n, std::string_view piece) {
  std::string out;
  out.reserve(n * piece.size());
  for (size_t i = 0; i < n; ++i) out += piece;
  return out;
}

std::string in_job(const std::string& expression) { return "job \"j\" {\nmeta {\nk = " + expression + "\n}\n}\n"; }

// `piece` opened kDepth times and never closed, then closed; bare and as a value of a job.
void add_nested(std::vector<Hostile>& out, std::string name, std::string_view open, std::string_view middle,
                std::string_view close) {
  auto opened = times(kDepth, open);
  auto whole = opened + std::string(middle) + times(kDepth, close);
  out.push_back({name + ", open", opened});
  out.push_back({name + ", open, in a job", in_job(opened)});
  out.push_back({name, whole});
  out.push_back({name + ", in a job", in_job(whole)});
}

}  // namespace

std::vector<Hostile> hostile_inputs() {
  std::vector<Hostile> out;
  add_nested(out, "parentheses", "(", "1", ")");
  add_nested(out, "lists", "[", "1", "]");
  add_nested(out, "objects", "{a=", "1", "}");
  add_nested(out, "JSON objects", "{\"a\":", "1", "}");
  add_nested(out, "JSON lists in an object", "{\"a\":[", "1", "]}");
  add_nested(out, "blocks", "a {\n", "b = 1\n", "}\n");
  add_nested(out, "HCL1 blocks", "a \"b\" {", "c = 1", "}");
  add_nested(out, "templates", "\"${", "1", "}\"");
  add_nested(out, "directives", "\"%{if true}", "x", "%{endif}\"");
  add_nested(out, "calls", "upper(", "\"a\"", ")");
  add_nested(out, "for expressions", "[for x in ", "[1]", ": x]");
  add_nested(out, "negations", "!", "true", "");
  add_nested(out, "minus", "-", "1", "");
  add_nested(out, "conditions", "true ? 1 : ", "2", "");
  add_nested(out, "condition results", "true ? ", "1", " : 2");
  add_nested(out, "sums", "1 + ", "1", "");
  add_nested(out, "indexes", "a[", "0", "]");
  add_nested(out, "attributes", "a.", "b", "");
  add_nested(out, "splats", "a[*]", "", "");
  add_nested(out, "attribute splats", "a.*.", "b", "");
  add_nested(out, "heredocs", "<<A\n${", "1", "}\nA\n");
  add_nested(out, "filter negations", "not ", "a == b", "");
  add_nested(out, "filter parentheses", "( ", "a == b", " )");
  add_nested(out, "template blocks", "{{if .ID}}", "x", "{{end}}");
  add_nested(out, "template parentheses", "{{(", ".ID", ")}}");
  add_nested(out, "nested actions", "(len ", ".ID", ")");
  out.push_back({"long number", in_job(times(kLong, "9"))});
  out.push_back({"long fraction", in_job("0." + times(kLong, "9"))});
  out.push_back({"huge exponent", in_job("1e999999999")});
  out.push_back({"tiny exponent", in_job("1e-999999999")});
  out.push_back({"power", in_job("pow(2, 1e18)")});
  out.push_back({"power of powers", in_job("pow(pow(pow(10, 308), 308), 308)")});
  out.push_back({"format width", in_job("format(\"%999999999d\", 1)")});
  out.push_back({"format precision", in_job("format(\"%.999999999f\", 1)")});
  out.push_back({"format of a huge number", in_job("format(\"%f\", 1e99999)")});
  out.push_back({"range", in_job("range(0, 1e12)")});
  out.push_back({"range by little", in_job("range(0, 1, 0.0000000001)")});
  out.push_back({"product", in_job("jsonencode(setproduct(range(1000), range(1000), range(1000)))")});
  out.push_back({"indentation", in_job("indent(1000000000, \"a\\nb\")")});
  out.push_back({"rounds", in_job("jsonencode([for a in range(1000): [for b in range(1000): [for c in range(1000): c]]])")});
  out.push_back({"doubling text", "locals {\na0 = \"" + times(100, "x") + "\"\n" + [] {
                   std::string s;
                   for (int i = 1; i < 60; ++i)
                     s += "a" + std::to_string(i) + " = \"${local.a" + std::to_string(i - 1) + "}${local.a" + std::to_string(i - 1) + "}\"\n";
                   return s;
                 }() + "}\n" + in_job("local.a59")});
  out.push_back({"doubling lists", "locals {\na0 = [1]\n" + [] {
                   std::string s;
                   for (int i = 1; i < 60; ++i)
                     s += "a" + std::to_string(i) + " = concat(local.a" + std::to_string(i - 1) + ", local.a" + std::to_string(i - 1) + ")\n";
                   return s;
                 }() + "}\n" + in_job("jsonencode(local.a59)")});
  out.push_back({"shared lists", "locals {\na0 = [1]\n" + [] {
                   std::string s;
                   for (int i = 1; i < 60; ++i)
                     s += "a" + std::to_string(i) + " = [local.a" + std::to_string(i - 1) + ", local.a" + std::to_string(i - 1) + "]\n";
                   return s;
                 }() + "}\n" + in_job("jsonencode(local.a59)")});
  out.push_back({"patterns", in_job("replace(\"" + times(1000, "a") + "\", \"/(a{1,1000}){1,1000}/\", \"b\")")});
  out.push_back({"replacements", in_job("replace(\"" + times(100'000, "a") + "\", \"a\", \"" + times(100'000, "b") + "\")")});
  out.push_back({"long string", in_job("\"" + times(kLong, "x") + "\"")});
  out.push_back({"long name", in_job(times(kLong, "x"))});
  out.push_back({"combining marks", in_job("\"" + times(kLong / 2, "\xcc\x81") + "\"")});
  out.push_back({"line breaks", times(kLong, "\n")});
  out.push_back({"zeroes", std::string(kLong, '\0')});
  out.push_back({"no text", std::string(kLong, '\xff')});
  out.push_back({"open string", in_job("\"" + times(kLong, "\\"))});
  out.push_back({"attributes of one body", times(kDepth / 2, "a = 1\n")});
  out.push_back({"names of one block", "job \"j\" {\nmeta {\n" + [] {
                   std::string s;
                   for (size_t i = kDepth; i > 0; --i) s += "k" + std::to_string(i) + " = 1\n";
                   return s;
                 }() + "}\n}\n"});
  out.push_back({"errors", in_job("1") + times(kDepth / 2, "x {}\n")});
  out.push_back({"open heredoc", in_job("<<A\n" + times(kLong / 4, "x\n  "))});
  out.push_back({"dynamic blocks", "job \"j\" {\ngroup \"g\" {\n" + times(200, "dynamic \"task\" {\nfor_each = range(1000)\nlabels = [\"t\"]\ncontent {}\n}\n") + "}\n}\n"});
  out.push_back({"blocks within dynamic ones", "job \"j\" {\n" + times(20, "dynamic \"group\" {\nfor_each = range(100)\nlabels=[\"g\"]\ncontent {\n") + times(20, "}\n}\n") + "}\n"});
  out.push_back({"variables", [] {
                   std::string s;
                   for (int i = 0; i < 5000; ++i) s += "variable \"v" + std::to_string(i) + "\" { default = 1 }\n";
                   return s;
                 }() + in_job("var.v4999")});
  out.push_back({"locals the wrong way round", "locals {\n" + [] {
                   std::string s;
                   for (int i = 0; i < 3000; ++i) s += "a" + std::to_string(i) + " = local.a" + std::to_string(i + 1) + "\n";
                   return s;
                 }() + "a3000 = 1\n}\n" + in_job("local.a0")});
  return out;
}

}  // namespace drover::fuzz
