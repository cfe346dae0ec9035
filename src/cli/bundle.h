// A folder of captured files, and its manifest; at the end perhaps a tar archive of it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace drover::cli {

// A file name without what some file system refuses: such characters become '_'.
std::string clean_file_name(std::string_view name);

// Thread safe.
class Bundle {
 public:
  // Makes `parent`/`name`, which must not be there yet. Error: "... already exists".
  static Result<std::unique_ptr<Bundle>> create(std::string parent, std::string name);

  const std::string& dir() const { return dir_; }
  // `path`: below the folder, "cluster/nodes.json".
  Status add(const std::string& path, std::string_view content);
  Status append(const std::string& path, std::string_view content);
  // index.json and index.html, which list the files.
  Status write_index();
  // Regular files under "<name>/", compressed.
  Status write_archive(const std::string& file, Time now) const;
  // The files and folders that this object made.
  void remove() const;

 private:
  Bundle(std::string dir, std::string name) : dir_(std::move(dir)), name_(std::move(name)) {}
  Status note(const std::string& path);

  const std::string dir_, name_;
  mutable std::mutex mutex_;
  std::vector<std::string> files_;
};

}  // namespace drover::cli
