#include "oci/trusted_root_file.h"

#include <fmt/format.h>

namespace windlass {

Result<std::shared_ptr<const TrustedRoot>> TrustedRootFile::current() {
  if (path_.empty()) return fail(Kind::not_found, "no trusted root: OCI_TRUSTED_ROOT_FILE is not set");
  const auto stamp = stamp_of(path_);  // before reading: a change in between is found the next time
  const std::lock_guard lock(mutex_);
  if (stamp && stamp == stamp_) return root_;
  stamp_.reset();
  const auto text = read_file(path_, TrustedRoot::kBytesMax);
  if (!text) return while_doing("reading the trusted root", text.error());
  auto root = TrustedRoot::parse(*text);
  if (!root) return while_doing(fmt::format("reading the trusted root {}", path_.string()), root.error());
  root_ = std::make_shared<const TrustedRoot>(std::move(*root));
  stamp_ = stamp;
  return root_;
}

}  // namespace windlass
