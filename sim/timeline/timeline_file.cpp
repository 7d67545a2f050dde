// SPDX-License-Identifier: MIT
#include "sim/timeline/timeline_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <cstddef>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/counters/probe.h"
#include "sim/report/safe_text.h"
#include "sim/timeline/json_timeline_writer.h"
#include "sim/timeline/perfetto_timeline_writer.h"
#include "sim/timeline/run_probe.h"

namespace nibble {

namespace {

/// A file that is written from the beginning to the end, compressed if that is asked for.
class Output {
public:
    Output(const std::filesystem::path& path, bool compressed) : path_(path), handle_(archive_write_new()) {
        // Without a time, so that the same run makes the same bytes. Beyond level 4 files shrink by a tenth and take
        // three times as long.
        if ((compressed &&
             (archive_write_add_filter_gzip(handle_.get()) != ARCHIVE_OK ||
              archive_write_set_options(handle_.get(), "gzip:!timestamp,gzip:compression-level=4") != ARCHIVE_OK)) ||
            archive_write_set_format_raw(handle_.get()) != ARCHIVE_OK ||
            archive_write_open_filename(handle_.get(), path.c_str()) != ARCHIVE_OK) {
            fail();
        }
        const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), "timeline");
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        if (archive_write_header(handle_.get(), entry.get()) != ARCHIVE_OK) {
            fail();
        }
    }

    void write(std::string_view bytes) {
        if (archive_write_data(handle_.get(), bytes.data(), bytes.size()) != static_cast<la_ssize_t>(bytes.size())) {
            fail();
        }
    }

    void copy(const std::filesystem::path& from) {
        std::ifstream file(from, std::ios::binary);
        std::vector<char> bytes(std::size_t{1} << 20U);
        while (file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || file.gcount() > 0) {
            write({bytes.data(), static_cast<std::size_t>(file.gcount())});
        }
    }

    void finish() {
        if (archive_write_close(handle_.get()) != ARCHIVE_OK) {
            fail();
        }
    }

private:
    struct Free {
        void operator()(struct archive* finished) const { archive_write_free(finished); }
    };
    struct FreeEntry {
        void operator()(archive_entry* entry) const { archive_entry_free(entry); }
    };

    [[noreturn]] void fail() const {
        const char* why = archive_error_string(handle_.get());
        throw InputError({path_.string(), 0, 0},
                         fmt::format("the timeline cannot be written: {}", why != nullptr ? why : "no reason given"));
    }

    std::filesystem::path path_;
    std::unique_ptr<struct archive, Free> handle_;
};

std::string opening(const Setup& setup) {
    const nlohmann::ordered_json other = {
        {"schema", "nibblesim-timeline-trace-1"},
        {"program", setup.program},
        {"network", setup.network},
        {"trace", setup.trace},
        {"batch", setup.batch},
        {"coalescing",
         fmt::format("An operation has at most {} slices in a unit, fewer in runs of more than {} operations: beyond, "
                     "neighbouring commands share one, and its arguments are their sums. Busy spells of dram, "
                     "scratchpad and sequencer are joined where there are more than {}.",
                     2 * RunProbe::most_slices, RunProbe::slices_of_commands / RunProbe::most_slices,
                     SpellTrack::most_slices)}};
    return fmt::format("{{\"displayTimeUnit\":\"ns\",\n\"otherData\":{},\n\"traceEvents\":[",
                       other.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void write_head(TimelineWriter& writer, const TimelinePart& part) {
    const MachineParameters& machine = part.subject->machine;
    const std::string name = to_utf8(machine.name);
    writer.name_machine(fmt::format("{}: {}", part.role, name), fmt::format("{} ps a cycle", machine.clock_period_ps));
    writer.note("nibblesim_machine",
                std::array{TimelineArgument{"role", part.role}, TimelineArgument{"machine", std::string_view(name)},
                           TimelineArgument{"clock_period_ps", machine.clock_period_ps},
                           TimelineArgument{"cycles", part.summary->cycles}});
}

/// One line of a counter track.
struct CounterTrack {
    std::string name;
    std::function<double(const SeriesBucket&)> value;
};

std::vector<CounterTrack> counter_tracks(const Subject& subject) {
    const auto cycles = [](const SeriesBucket& bucket) {
        return static_cast<double>(bucket.counters[index_of(Counter::cycles)]);
    };
    const auto picoseconds = [cycles, period = static_cast<double>(subject.machine.clock_period_ps)](
                                 const SeriesBucket& bucket) { return cycles(bucket) * period; };
    const auto bandwidth = [picoseconds](const SeriesBucket& bucket, double bytes) {
        constexpr double gigabytes_a_second = 1000;  // 1 byte a picosecond
        return bytes / picoseconds(bucket) * gigabytes_a_second;
    };
    const auto of = [bandwidth](Counter counter) {
        return [bandwidth, counter](const SeriesBucket& bucket) {
            return bandwidth(bucket, static_cast<double>(bucket.counters[index_of(counter)]));
        };
    };
    const auto held = [cycles](std::uint64_t SeriesBucket::*byte_cycles) {
        return [cycles, byte_cycles](const SeriesBucket& bucket) {
            constexpr double kib = 1024;
            return static_cast<double>(bucket.*byte_cycles) / cycles(bucket) / kib;
        };
    };
    std::vector<CounterTrack> tracks{
        {"DRAM read GB/s", of(Counter::dram_bytes_read)},
        {"DRAM write GB/s", of(Counter::dram_bytes_written)},
        {"DRAM row hits %",
         [](const SeriesBucket& bucket) {
             constexpr double percent = 100;
             const std::uint64_t bursts = bucket.row_hits + bucket.row_misses;
             return bursts > 0 ? percent * static_cast<double>(bucket.row_hits) / static_cast<double>(bursts) : 0;
         }},
        {"scratchpad GB/s",
         [bandwidth, line = static_cast<double>(subject.machine.scratchpad.line_bytes)](const SeriesBucket& bucket) {
             std::uint64_t lines = 0;
             for (const auto& part : line_counters) {
                 for (const Counter counter : part) {
                     lines += bucket.counters[index_of(counter)];
                 }
             }
             return bandwidth(bucket, static_cast<double>(lines) * line);
         }},
        {"scratchpad tiles KiB", held(&SeriesBucket::tile_byte_cycles)},
        {"scratchpad resident KiB", held(&SeriesBucket::resident_byte_cycles)},
        {"power W",  // 1 pJ a picosecond
         [picoseconds, &subject](const SeriesBucket& bucket) {
             return subject.energy.price(bucket.counters).total().count() / picoseconds(bucket);
         }}};
    for (const MachineUnit unit :
         {MachineUnit::load, MachineUnit::mac_array, MachineUnit::log_gradient, MachineUnit::vector_unit,
          MachineUnit::store, MachineUnit::dram, MachineUnit::scratchpad}) {
        tracks.push_back(
            {fmt::format("{} busy %", machine_unit_names[index_of(unit)]), [cycles, unit](const SeriesBucket& bucket) {
                 constexpr double percent = 100;
                 return percent * static_cast<double>(bucket.busy[index_of(unit)]) / cycles(bucket);
             }});
    }
    return tracks;
}

void write_counters(TimelineWriter& writer, const TimelinePart& part) {
    const Series& series = *part.summary->series;
    unsigned number = 0;
    for (const CounterTrack& track : counter_tracks(*part.subject)) {
        std::optional<double> last;
        for (std::size_t bucket = 0; bucket < series.buckets.size(); ++bucket) {
            const double value = track.value(series.buckets[bucket]);
            if (value != last) {
                writer.counter(number, track.name, bucket * series.bucket_cycles, value);
                last = value;
            }
        }
        writer.counter(number, track.name, part.summary->cycles, 0);
        ++number;
    }
}

std::unique_ptr<TimelineWriter> writer_of(TimelineFormat format, std::ostream& out, unsigned process, unsigned sequence,
                                          std::uint64_t clock_period_ps) {
    if (format == TimelineFormat::native) {
        return std::make_unique<PerfettoTimelineWriter>(out, process, sequence, clock_period_ps);
    }
    return std::make_unique<JsonTimelineWriter>(out, process, clock_period_ps);
}

}  // namespace

TimelineFormat timeline_format_of(const std::string& path) {
    if (path.ends_with(".pftrace")) {
        return TimelineFormat::native;
    }
    return path.ends_with(".json") ? TimelineFormat::json : TimelineFormat::json_gz;
}

std::unique_ptr<TimelineWriter> make_timeline_writer(TimelineFormat format, std::ostream& out, unsigned process,
                                                     std::uint64_t clock_period_ps) {
    return writer_of(format, out, process, 2 * process, clock_period_ps);
}

void write_timeline(const std::filesystem::path& path, TimelineFormat format, const Setup& setup,
                    std::span<const TimelinePart> parts) {
    Output output(path, format == TimelineFormat::json_gz);
    const bool json = format != TimelineFormat::native;
    if (json) {
        output.write(opening(setup));
    }
    unsigned process = 0;
    for (const TimelinePart& part : parts) {
        ++process;
        std::ostringstream text;
        // Sequences of packets have numbers of their own: these are odd, those of the events even.
        const std::unique_ptr<TimelineWriter> writer =
            writer_of(format, text, process, 2 * process + 1, part.subject->machine.clock_period_ps);
        write_head(*writer, part);
        writer->flush();
        std::string head = text.str();
        if (json && process == 1) {
            head.erase(0, 1);  // the comma before the first event
        }
        output.write(head);
        output.copy(part.events);
        text.str({});
        write_counters(*writer, part);
        writer->flush();
        output.write(text.str());
    }
    if (json) {
        output.write("\n]}\n");
    }
    output.finish();
}

}  // namespace nibble
