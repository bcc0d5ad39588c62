//! Quick: a forest's trees walked all at once. Each answer to a question rules out leaves of a tree; the first one left
//! is where the row falls. What the answers about one feature rule out is looked up by where its value lies among the
//! thresholds, for all trees in one line of memory, so that no step waits for the one before. Pure.
//!
//! Source: `QuickScorer` (Lucchese et al., SIGIR 2015), with its loops over thresholds made into tables.

use super::Node;

/// Features that may be asked about.
const FEATURES: usize = 64;
/// Places of a feature's thresholds; the first is not used, those left over are never reached.
const CUTS: usize = 128;
/// Those that are looked at where there are no more; few features of one forest have.
const FEW: usize = 32;
const MORE: usize = 64;
/// Leaves of a tree at most: one bit each.
const LEAVES: usize = 16;
/// Trees of a block, four of them to a word.
const BLOCK: usize = 32;
const WORDS: usize = BLOCK / WIDE;
/// Trees whose leaves share a word.
const WIDE: usize = 4;

/// The tables of a forest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quick {
    questions: Vec<Question>,
    /// By block, feature and group: the leaves left of each tree.
    left: Vec<[u64; WORDS]>,
    /// How many groups the features of a block have.
    groups: usize,
    /// By word and tree: what each leaf adds.
    leaves: Vec<[[f32; LEAVES]; WIDE]>,
}

/// What is asked about one feature.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    feature: usize,
    /// In order.
    cuts: Vec<f32>,
    /// The same from the second place on, filled up with infinity.
    search: Box<[f32; CUTS]>,
    /// Groups of the questions before it in a block.
    first: usize,
}

/// One threshold of a tree and the leaves that lie behind its "no".
#[derive(Clone, Copy, Debug)]
struct Cut {
    feature: u8,
    above: f32,
    ruled_out: u16,
}

impl Quick {
    /// `None`: a tree has too many leaves for it, or there are too many features, so the trees must be walked.
    pub(super) fn of(trees: &[Vec<Node>]) -> Option<Self> {
        let (mut cuts, mut leaves) = (Vec::new(), Vec::new());
        for tree in trees {
            let (mut of_tree, mut values) = (Vec::new(), Vec::new());
            spread(tree, 0, &mut of_tree, &mut values)?;
            values.resize(LEAVES, 0.0);
            leaves.push(values.try_into().ok()?);
            cuts.push(of_tree);
        }
        let questions = questions(&cuts);
        let groups = questions.iter().map(Question::groups).sum();
        if questions.is_empty() || questions.len() > FEATURES || questions.iter().any(|of| of.groups() > CUTS) {
            return None;
        }
        let leaves = leaves.chunks(WIDE).map(|trees| {
            let mut all = [[0.0; LEAVES]; WIDE];
            all[..trees.len()].copy_from_slice(trees);
            all
        });
        let leaves = leaves.collect();
        let mut left = Vec::new();
        for block in cuts.chunks(BLOCK) {
            for question in &questions {
                left.extend((0..question.groups()).map(|group| question.leaves_left(block, group)));
            }
        }
        Some(Self {
            questions,
            left,
            groups,
            leaves,
        })
    }

    /// What all trees add, every fourth to one sum, so that a sum waits less for the one before.
    pub(super) fn sum(&self, row: &[f32]) -> [f32; WIDE] {
        let mut groups = [0; FEATURES];
        for (group, question) in groups.iter_mut().zip(&self.questions) {
            *group = question.first + question.group(row[question.feature]);
        }
        let groups = &groups[..self.questions.len()];
        let blocks = self.left.chunks_exact(self.groups);
        let mut sums = [0.0; WIDE];
        for (tables, leaves) in blocks.zip(self.leaves.chunks(WORDS)) {
            let mut left = [u64::MAX; WORDS];
            for group in groups {
                let of_group = &tables[*group];
                for (left, of_group) in left.iter_mut().zip(of_group) {
                    *left &= of_group;
                }
            }
            for (word, leaves) in left.into_iter().zip(leaves) {
                let mut word = word;
                for (sum, values) in sums.iter_mut().zip(leaves) {
                    // At least one bit is left: a walk down the tree ends in some leaf.
                    *sum += values[first(word) % LEAVES];
                    word >>= LEAVES;
                }
            }
        }
        sums
    }
}

impl Question {
    /// How many thresholds lie below the value; none below NaN.
    fn group(&self, value: f32) -> usize {
        match self.groups() {
            groups if groups <= FEW => self.below::<FEW>(value),
            groups if groups <= MORE => self.below::<MORE>(value),
            _ => self.below::<CUTS>(value),
        }
    }

    /// Of the first places. To count them all is quicker than to halve: no step waits for the one before.
    fn below<const PLACES: usize>(&self, value: f32) -> usize {
        let mut below = 0_u32;
        for cut in &self.search[..PLACES] {
            below += u32::from(value > *cut);
        }
        usize::try_from(below).unwrap_or(0)
    }

    /// How many groups there are: below all thresholds, and above each.
    fn groups(&self) -> usize {
        self.cuts.len() + 1
    }

    /// The leaves that are left of each tree where so many thresholds lie below the value.
    fn leaves_left(&self, block: &[Vec<Cut>], group: usize) -> [u64; WORDS] {
        let mut left = [u16::MAX; BLOCK];
        let below = &self.cuts[..group];
        for (left, cuts) in left.iter_mut().zip(block) {
            let about = cuts.iter().filter(|cut| usize::from(cut.feature) == self.feature);
            let ruled_out = about.filter(|cut| below.contains(&cut.above));
            *left = ruled_out.fold(*left, |left, cut| left & !cut.ruled_out);
        }
        let word = |word: usize| left[4 * word..].iter().take(4).rev();
        std::array::from_fn(|at| word(at).fold(0, |all, left| (all << LEAVES) | u64::from(*left)))
    }
}

/// All features that are asked about, each with its thresholds in order.
fn questions(cuts: &[Vec<Cut>]) -> Vec<Question> {
    let of_feature = |feature: u8| {
        let about = cuts.iter().flatten().filter(|cut| cut.feature == feature);
        let mut cuts: Vec<f32> = about.map(|cut| cut.above).collect();
        cuts.sort_unstable_by(f32::total_cmp);
        cuts.dedup();
        let mut search = Box::new([f32::INFINITY; CUTS]);
        for (place, cut) in search.iter_mut().skip(1).zip(&cuts) {
            *place = *cut;
        }
        Question {
            feature: usize::from(feature),
            cuts,
            search,
            first: 0,
        }
    };
    let all = (0..=u8::MAX).map(of_feature);
    let mut asked: Vec<Question> = all.filter(|question| !question.cuts.is_empty()).collect();
    let mut first = 0;
    for question in &mut asked {
        question.first = first;
        first += question.groups();
    }
    asked
}

/// Walks below a node from left to right: the values of its leaves, and what each "yes" rules out.
fn spread(tree: &[Node], place: usize, cuts: &mut Vec<Cut>, values: &mut Vec<f32>) -> Option<()> {
    let node = tree[place];
    if node.left == 0 {
        values.push(node.value);
        return (values.len() <= LEAVES).then_some(());
    }
    let (begin, left) = (values.len(), usize::from(node.left));
    spread(tree, left, cuts, values)?;
    let ruled_out = bits(values.len()) & !bits(begin);
    cuts.push(Cut {
        feature: node.feature,
        above: node.value,
        ruled_out,
    });
    spread(tree, left + 1, cuts, values)
}

/// So many of the lowest bits.
fn bits(count: usize) -> u16 {
    u32::try_from(count).map_or(u16::MAX, |count| {
        1_u16.checked_shl(count).map_or(u16::MAX, |bit| bit - 1)
    })
}

fn first(left: u64) -> usize {
    // With a bit at the end there is one to be found, which is quicker than to ask.
    usize::try_from((left | 1 << (LEAVES - 1)).trailing_zeros()).unwrap_or(0)
}
