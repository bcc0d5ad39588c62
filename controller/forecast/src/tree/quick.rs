//! Quick: a forest's trees walked all at once. Each answer to a question rules out leaves of a tree; the first one left
//! is where the row falls. What the answers about one feature rule out is looked up by where its value lies among the
//! thresholds, for all trees in one line of memory, so that no step waits for the one before. Pure.
//!
//! Source: `QuickScorer` (Lucchese et al., SIGIR 2015), with its loops over thresholds made into tables.

use super::Node;

/// Features that may be asked about.
const FEATURES: usize = 64;
/// Leaves of a tree at most: one bit each.
const LEAVES: usize = 16;
/// Trees of a block, four of them to a word.
const BLOCK: usize = 32;
const WORDS: usize = BLOCK / 4;

/// The tables of a forest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quick {
    trees: usize,
    questions: Vec<Question>,
    /// By block, feature and group: the leaves left of each tree.
    left: Vec<[u64; WORDS]>,
    /// By tree: what each leaf adds.
    leaves: Vec<[f32; LEAVES]>,
}

/// What is asked about one feature.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    feature: usize,
    /// In order.
    cuts: Vec<f32>,
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
        if questions.len() > FEATURES {
            return None;
        }
        let mut left = Vec::new();
        for block in cuts.chunks(BLOCK) {
            for question in &questions {
                left.extend((0..question.groups()).map(|group| question.leaves_left(block, group)));
            }
        }
        Some(Self {
            trees: trees.len(),
            questions,
            left,
            leaves,
        })
    }

    /// What each tree adds, in order, one after the other to `sum`.
    pub(super) fn sum(&self, row: &[f32], mut sum: f32) -> f32 {
        let mut groups = [0; FEATURES];
        for (group, question) in groups.iter_mut().zip(&self.questions) {
            *group = question.group(row[question.feature]);
        }
        let mut tables = self.left.as_slice();
        for leaves in self.leaves.chunks(BLOCK) {
            let mut left = [u64::MAX; WORDS];
            for (group, question) in groups.iter().zip(&self.questions) {
                let (table, rest) = tables.split_at(question.groups());
                let of_group = &table[*group];
                left = std::array::from_fn(|word| left[word] & of_group[word]);
                tables = rest;
            }
            let mut left = left.into_iter();
            for four in leaves.chunks(4) {
                let mut word = left.next().unwrap_or(u64::MAX);
                for values in four {
                    // At least one bit is left: a walk down the tree ends in some leaf.
                    sum += values[first(word) % LEAVES];
                    word >>= LEAVES;
                }
            }
        }
        sum
    }
}

impl Question {
    /// How many thresholds lie below the value; none below NaN.
    fn group(&self, value: f32) -> usize {
        self.cuts.partition_point(|cut| value > *cut)
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
        Question {
            feature: usize::from(feature),
            cuts,
        }
    };
    let all = (0..=u8::MAX).map(of_feature);
    all.filter(|question| !question.cuts.is_empty()).collect()
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
    usize::try_from(left.trailing_zeros()).unwrap_or(0)
}
