// SPDX-License-Identifier: MIT
#include "sim/explore/sampling.h"

#include <random>
#include <set>

#include "sim/base/error.h"
#include "sim/explore/random_index.h"

namespace nibble {

namespace {

constexpr std::uint64_t largest_space = std::uint64_t{1} << 63U;

std::uint64_t required_size(std::span<const std::size_t> sizes) {
    const std::optional<std::uint64_t> size = space_size(sizes);
    if (!size || *size == 0) {
        throw ModelError("a space to sample has no designs, or more than 2^63");
    }
    return *size;
}

/// Where part `part` of `parts` of 0 to `size` begins.
std::uint64_t part_start(std::uint64_t part, std::uint64_t parts, std::uint64_t size) {
    return part * (size / parts) + part * (size % parts) / parts;
}

/// `count` values of an axis of `size`, as evenly used as can be, in random order.
std::vector<std::size_t> even_values(std::size_t size, std::size_t count, std::mt19937_64& random) {
    std::vector<std::size_t> values;
    for (std::size_t i = 0; i < count / size * size; ++i) {
        values.push_back(i % size);
    }
    const std::size_t rest = count % size;
    for (std::size_t part = 0; part < rest; ++part) {
        const std::uint64_t start = part_start(part, rest, size);
        values.push_back(start + random_below(random, part_start(part + 1, rest, size) - start));
    }
    shuffle_evenly(values, random);
    return values;
}

/// Exchanges values between designs, which leaves their counts as they are, until `design` is there once.
bool make_unique(std::vector<Genome>& designs, std::size_t design, std::multiset<Genome>& present,
                 std::mt19937_64& random) {
    constexpr int tries = 200;
    for (int attempt = 0; attempt < tries; ++attempt) {
        const std::size_t other = random_below(random, designs.size());
        const std::size_t axis = random_below(random, designs[design].size());
        Genome a = designs[design];
        Genome b = designs[other];
        std::swap(a[axis], b[axis]);
        if (a == b || present.contains(a) || present.contains(b)) {
            continue;
        }
        present.erase(present.find(designs[design]));
        present.erase(present.find(designs[other]));
        present.insert(a);
        present.insert(b);
        designs[design] = std::move(a);
        designs[other] = std::move(b);
        return true;
    }
    return false;
}

std::vector<Genome> whole_space(std::span<const std::size_t> sizes, std::uint64_t size) {
    std::vector<Genome> designs;
    for (std::uint64_t number = 0; number < size; ++number) {
        designs.push_back(design_of(number, sizes));
    }
    return designs;
}

}  // namespace

std::optional<std::uint64_t> space_size(std::span<const std::size_t> sizes) {
    std::uint64_t size = 1;
    for (const std::size_t axis : sizes) {
        if (axis == 0) {
            return 0;
        }
    }
    for (const std::size_t axis : sizes) {
        if (size > largest_space / axis) {
            return std::nullopt;
        }
        size *= axis;
    }
    return size;
}

Genome design_of(std::uint64_t number, std::span<const std::size_t> sizes) {
    Genome design(sizes.size());
    for (std::size_t axis = sizes.size(); axis-- > 0;) {
        design[axis] = number % sizes[axis];
        number /= sizes[axis];
    }
    return design;
}

std::uint64_t number_of(const Genome& design, std::span<const std::size_t> sizes) {
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
        number = number * sizes[axis] + design[axis];
    }
    return number;
}

std::vector<Genome> random_designs(std::span<const std::size_t> sizes, std::size_t count, std::uint64_t seed) {
    const std::uint64_t size = required_size(sizes);
    if (count >= size) {
        return whole_space(sizes, size);
    }
    std::mt19937_64 random(seed);
    std::set<std::uint64_t> numbers;
    for (std::uint64_t last = size - count; last < size; ++last) {
        if (!numbers.insert(random_below(random, last + 1)).second) {
            numbers.insert(last);
        }
    }
    std::vector<Genome> designs;
    for (const std::uint64_t number : numbers) {
        designs.push_back(design_of(number, sizes));
    }
    return designs;
}

std::vector<Genome> latin_hypercube(std::span<const std::size_t> sizes, std::size_t count, std::uint64_t seed) {
    const std::uint64_t size = required_size(sizes);
    if (count >= size) {
        return whole_space(sizes, size);
    }
    std::mt19937_64 random(seed);
    std::vector<Genome> designs(count, Genome(sizes.size()));
    for (std::size_t axis = 0; axis < sizes.size(); ++axis) {
        const std::vector<std::size_t> values = even_values(sizes[axis], count, random);
        for (std::size_t i = 0; i < count; ++i) {
            designs[i][axis] = values[i];
        }
    }
    std::multiset<Genome> present(designs.begin(), designs.end());
    for (std::size_t i = 0; i < count; ++i) {
        if (present.count(designs[i]) == 1 || make_unique(designs, i, present, random)) {
            continue;
        }
        present.erase(present.find(designs[i]));
        std::uint64_t number = random_below(random, size);
        while (present.contains(design_of(number, sizes))) {
            number = (number + 1) % size;
        }
        designs[i] = design_of(number, sizes);
        present.insert(designs[i]);
    }
    return designs;
}

}  // namespace nibble
