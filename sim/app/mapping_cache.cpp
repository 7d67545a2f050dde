// SPDX-License-Identifier: MIT
#include "sim/app/mapping_cache.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "sim/app/pending_file.h"
#include "sim/base/content_hash.h"
#include "sim/base/error.h"
#include "sim/config/machine_config.h"
#include "sim/config/yaml_reader.h"
#include "sim/mapping/mapping_file.h"

namespace nibble {

namespace {

// A file of mappings is read as a whole: beyond this it begins anew.
constexpr std::uint64_t most_bytes = YamlDocument::most_bytes / 2;

/// $XDG_CACHE_HOME/nibblesim, or ~/.cache/nibblesim; empty if neither is known.
std::filesystem::path cache_directory() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
        return std::filesystem::path(cache) / "nibblesim";
    }
    const char* home = std::getenv("HOME");
    return home != nullptr && *home == '/' ? std::filesystem::path(home) / ".cache" / "nibblesim"
                                           : std::filesystem::path();
}

}  // namespace

MappingCache::MappingCache(const MachineParameters& machine, MappingObjective objective) {
    const std::filesystem::path directory = cache_directory();
    if (directory.empty() || program_hash().empty()) {
        return;
    }
    ContentHash hash;
    hash.field(fmt::format("{}", static_cast<int>(objective))).field(effective_yaml(machine));
    hash.field(program_hash());  // another build may search otherwise
    file_ = directory / fmt::format("mappings-{}.yaml", hash.text());
    std::error_code error;
    if (!std::filesystem::exists(file_, error) || std::filesystem::file_size(file_, error) > most_bytes) {
        return;
    }
    try {
        const MappingFile file = MappingFile::load(file_.string());
        for (const MappingFile::Section& section : file.sections()) {
            for (const MappingFile::Entry& entry : section.entries) {
                known_.emplace(entry.gemm, entry.mapped);
            }
        }
    } catch (const InputError&) {
        known_.clear();  // not ours, or damaged: it is written anew
    }
}

const MappedTask* MappingCache::find(const std::string& gemm) const {
    const auto found = known_.find(gemm);
    return found == known_.end() ? nullptr : &found->second;
}

void MappingCache::add(const std::vector<PlannedGemm>& planned) {
    bool news = false;
    for (const PlannedGemm& one : planned) {
        if (one.origin == MappingOrigin::searched) {
            news = true;
            known_.emplace(one.gemm.task.key(), one.mapped);
        }
    }
    if (file_.empty() || !news) {
        return;
    }
    try {
        std::filesystem::create_directories(file_.parent_path());
        PendingFile pending(file_);
        std::ofstream out(pending.temporary());
        fmt::print(out, "cache:\n");
        for (const auto& [gemm, mapped] : known_) {
            write_mapping(out, gemm, mapped);
        }
        if (out.flush()) {
            pending.commit();
        }
    } catch (const InputError&) {
        return;
    } catch (const std::filesystem::filesystem_error&) {
        return;
    }
}

}  // namespace nibble
