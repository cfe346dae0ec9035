// What is fuzzed. Each target takes any bytes and returns; a broken promise of the code under test aborts.
#pragma once

#include <string_view>

namespace drover::fuzz {

void lexer(std::string_view input);      // tokens cover the text in order
void parser(std::string_view input);     // file, expression and template; ranges lie inside the text
void evaluator(std::string_view input);  // an expression with variables and all functions; the value as JSON
void decoder(std::string_view input);    // a whole job file, then canonicalized, admitted, compared, written as JSON
void formatter(std::string_view input);  // text that parses still parses, and its tokens are the same
void hcl_json(std::string_view input);   // a job file in JSON syntax
void hcl1(std::string_view input);       // the older language, as a tree and as a job
void json(std::string_view input);       // a JSON job; what is written reads back the same
void msgpack(std::string_view input);    // the same for MessagePack
void bexpr(std::string_view input);      // a filter, applied to a job
void gotemplate(std::string_view input); // a template, executed over a job
void cron(std::string_view input);       // a cron expression and, after a line break, a zone; some launches
void snapshot_archive(std::string_view input);  // an archive, whole and in pieces
void tar(std::string_view input);               // the layer in it, which digests and gzip hide from a fuzzer
void snapshot_stream(std::string_view input);   // the records in it; what is written reads back

struct Target {
  std::string_view name;
  void (*run)(std::string_view);
};

inline constexpr Target kTargets[] = {
    {"lexer", lexer},       {"parser", parser}, {"evaluator", evaluator}, {"decoder", decoder},
    {"formatter", formatter}, {"hcl_json", hcl_json}, {"hcl1", hcl1},       {"json", json},
    {"msgpack", msgpack},   {"bexpr", bexpr},   {"gotemplate", gotemplate}, {"cron", cron},
    {"snapshot_archive", snapshot_archive}, {"tar", tar}, {"snapshot_stream", snapshot_stream},
};

// Ends the process, saying what was promised.
void promise(bool kept, const char* what);

}  // namespace drover::fuzz
