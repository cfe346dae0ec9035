#include "cli/job_diff.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"

namespace drover::cli {
namespace {

struct Marker {
  std::string_view type, text;
  size_t width;
};
constexpr Marker kMarkers[] = {{"Added", "[green]+[reset] ", 2}, {"Deleted", "[red]-[reset] ", 2},
                               {"Edited", "[light_yellow]+/-[reset] ", 4}, {"", "", 0}};

const Marker& marker(std::string_view type) {
  for (auto& m : kMarkers)
    if (m.type == type) return m;
  return kMarkers[3];
}

constexpr std::pair<std::string_view, std::string_view> kAnnotationColors[] = {
    {"forces create", "[green]"}, {"forces destroy", "[red]"}, {"forces in-place update", "[cyan]"},
    {"forces create/destroy update", "[yellow]"}};
constexpr std::pair<std::string_view, std::string_view> kUpdateColors[] = {
    {"create", "[green]"}, {"destroy", "[red]"}, {"migrate", "[blue]"}, {"in-place update", "[cyan]"},
    {"create/destroy update", "[yellow]"}, {"canary", "[light_yellow]"}};

template <size_t N>
std::string_view color_of(const std::pair<std::string_view, std::string_view> (&table)[N], std::string_view name) {
  for (auto& [known, color] : table)
    if (known == name) return color;
  return {};
}

std::string annotations_text(const List<std::string>& annotations) {
  std::vector<std::string> parts;
  for (auto& a : annotations) {
    auto color = color_of(kAnnotationColors, a);
    parts.push_back(color.empty() ? a : fmt::format("{}{}[reset]", color, a));
  }
  return join(parts, ", ");
}

// The lines of a diff; siblings share the width of the longest marker and of the longest field name.
class Writer {
 public:
  explicit Writer(bool verbose) : verbose_(verbose) {}

  void job(const JobDiff& job) {
    add(0, job.Type, marker(job.Type).width, fmt::format("[bold]Job: {}", go_quote(job.ID)));
    size_t widest = widest_marker(job.Fields, job.Objects);
    for (auto& g : job.TaskGroups) widest = std::max(widest, marker(g.Type).width);
    if (job.Type == "Edited" || verbose_) parts(job.Fields, job.Objects, 0, widest);
    for (auto& g : job.TaskGroups) {
      group(g, widest);
      lines_.emplace_back();
    }
  }

  std::string text() const { return join(lines_, "\n"); }

 private:
  void add(size_t indent, std::string_view type, size_t widest, std::string_view rest) {
    auto& m = marker(type);
    lines_.push_back(fmt::format("{}{}{}{}", std::string(indent, ' '), m.text, std::string(widest - m.width, ' '), rest));
  }

  static size_t widest_marker(const List<FieldDiff>& fields, const List<ObjectDiff>& objects) {
    size_t widest = 0;
    for (auto& f : fields) widest = std::max(widest, marker(f.Type).width);
    for (auto& o : objects) widest = std::max(widest, marker(o.Type).width);
    return widest;
  }

  void group(const TaskGroupDiff& g, size_t widest) {
    auto head = fmt::format("[bold]Task Group: {}[reset]", go_quote(g.Name));
    std::vector<std::string> updates;
    for (auto& [name, n] : g.Updates) updates.push_back(fmt::format("[reset]{}{} {}", color_of(kUpdateColors, name), n, name));
    head += updates.empty() ? "[reset]" : fmt::format(" ({}[reset])", join(updates, ", "));
    add(0, g.Type, widest, head);
    size_t indent = widest - marker(g.Type).width + 2;
    size_t inner = widest_marker(g.Fields, g.Objects);
    for (auto& t : g.Tasks) inner = std::max(inner, marker(t.Type).width);
    if (g.Type == "Edited" || verbose_) parts(g.Fields, g.Objects, indent, inner);
    for (auto& t : g.Tasks) task(t, indent, inner);
  }

  void task(const TaskDiff& t, size_t indent, size_t widest) {
    auto head = fmt::format("[bold]Task: {}", go_quote(t.Name));
    if (!t.Annotations.empty()) head += fmt::format(" [reset]({})", annotations_text(t.Annotations));
    add(indent, t.Type, widest, head);
    bool short_form = (t.Type == "Added" || t.Type == "Deleted") && !verbose_;
    if (t.Type == "None" || short_form) return;
    if (t.Fields.empty() && t.Objects.empty()) lines_.emplace_back();
    parts(t.Fields, t.Objects, indent + 2, widest_marker(t.Fields, t.Objects));
  }

  void parts(const List<FieldDiff>& fields, const List<ObjectDiff>& objects, size_t indent, size_t widest) {
    size_t longest = 0;
    for (auto& f : fields) longest = std::max(longest, f.Name.size());
    for (auto& f : fields) field(f, indent, widest, longest);
    for (auto& o : objects) object(o, indent, widest);
  }

  void field(const FieldDiff& f, size_t indent, size_t widest, size_t longest) {
    std::string value;
    if (f.Type == "Deleted") value = go_quote(f.Old);
    else if (f.Type == "Edited") value = go_quote(f.Old) + " => " + go_quote(f.New);
    else value = go_quote(f.New);
    if (!f.Annotations.empty()) value += fmt::format(" ({})", annotations_text(f.Annotations));
    add(indent, f.Type, widest, fmt::format("{}: {}{}", f.Name, std::string(longest - f.Name.size(), ' '), value));
  }

  void object(const ObjectDiff& o, size_t indent, size_t widest) {
    add(indent, o.Type, widest, o.Name + " {");
    size_t pad = widest - marker(o.Type).width;
    if (o.Fields.empty() && o.Objects.empty()) lines_.emplace_back();
    parts(o.Fields, o.Objects, indent + pad + 2, widest_marker(o.Fields, o.Objects));
    lines_.push_back(std::string(indent + widest, ' ') + "}");
  }

  bool verbose_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string diff_text(const JobDiff& diff, bool verbose) {
  Writer writer(verbose);
  writer.job(diff);
  return writer.text();
}

}  // namespace drover::cli
