//! Images of programs that are no longer: each new mailctl is a new image, and they would fill the disk.

use super::{Engine, call};
use crate::{error::Error, plan::recipe::LABEL_RECIPE};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptionsBuilder,
};
use std::collections::{HashMap, HashSet};

/// The newest are kept: several homes on one host can be at several versions.
const KEPT: usize = 8;

impl Engine {
    /// Removes our oldest images that no container uses; the result is how many.
    pub async fn forget_images(&self) -> Result<usize, Error> {
        let filters: HashMap<String, Vec<String>> =
            [("label".to_owned(), vec![LABEL_RECIPE.to_owned()])].into();
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let mut images = call("list images", self.docker.list_images(Some(options))).await?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let all = ListContainersOptionsBuilder::default().all(true).build();
        let containers = call("list containers", self.docker.list_containers(Some(all))).await?;
        let used: HashSet<String> =
            containers.into_iter().filter_map(|container| container.image_id).collect();
        let mut removed = 0;
        for image in images.into_iter().skip(KEPT).filter(|image| !used.contains(&image.id)) {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            // One that has come into use since is refused, and stays.
            if call("remove an image", self.docker.remove_image(&image.id, Some(options), None)).await.is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }
}
